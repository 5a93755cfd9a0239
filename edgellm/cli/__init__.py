"""The command line: one file, one command. Only the chosen command's file is imported."""
