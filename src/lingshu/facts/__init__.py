"""True statements about pictures: what may be stated, how it is worded, and how wording is read back."""
