"""Running short jobs by the batch: one claim, one finish and one trip to a child process for many jobs."""
