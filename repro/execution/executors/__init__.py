"""Where runs execute: `boundary` says what that takes, each other module is one such place."""
