"""What `manage.py provision` makes. Each module has `provision()`, which yields a line for each thing it did."""
