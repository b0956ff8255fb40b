"""Asking checkpoints: engines that answer requests, and the step that keeps every response."""
