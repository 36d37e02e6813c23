"""What is put on paper: one document as data, and its two forms, HTML and PDF."""
