"""The HTTP service: the API that programs use, and who may come in."""
