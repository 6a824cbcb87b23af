"""The steps of a question's path, in the order in which `qa.ask` takes them."""
