"""The command line. Commands import what they need when they run, so that `tasks` does not load a model."""
