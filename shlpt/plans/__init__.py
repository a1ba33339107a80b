"""Plans of training: runs as trees of stages, experiments as lists of runs, estimates, commands. No torch."""
