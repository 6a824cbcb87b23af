"""How people and programs come in: command line, HTTP, web page."""
