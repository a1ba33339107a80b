"""The way from a plan to a worker and what people do on it: submit, claim, pause, stop, resume, delete. No torch."""
