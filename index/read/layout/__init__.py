"""From the characters on pages to a text: `glyphs` takes them off, `lines` sets them in order, `flow` joins them."""
