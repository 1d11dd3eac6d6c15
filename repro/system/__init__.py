"""Files, child processes and the terminal of this machine; nothing here knows what a study is."""
