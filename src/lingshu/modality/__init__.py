"""Which imaging modality a picture is of: a pretrained encoder, and a probe that learns from tagged pictures."""
