"""What is learned: tasks, how their texts are written, named sequences. No torch."""
