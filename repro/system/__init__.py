"""Files, child processes and the terminal of this machine; independent of studies."""
