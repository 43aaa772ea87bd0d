"""PDF: seal face, placement, examination, PAdES."""
