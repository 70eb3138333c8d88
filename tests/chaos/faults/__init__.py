"""What can befall the stack. Each function returns when its fault is over and the service runs again."""
