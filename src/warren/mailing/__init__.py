"""Mail, as tasks send it."""
