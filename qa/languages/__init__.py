"""Questions and articles in other languages than English."""
