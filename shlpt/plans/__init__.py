"""What is to be trained: runs as trees of stages, experiments as lists of runs, estimates, commands. No torch."""
