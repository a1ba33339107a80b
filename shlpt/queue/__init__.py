"""The queue between people and workers: submit, claim, pause, step, stop, resume, delete. No torch."""
