"""An archive that is read while another process writes it, or where nothing can be written."""
