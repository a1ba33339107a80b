"""A stage as a loop, many of them through one forward pass, and checkpoints between two epochs."""
