"""Many runs: what is missing, where it runs, what it costs, and whether it comes out again."""
