"""A stage as a training loop, many loops in one forward pass, and checkpoints between epochs."""
