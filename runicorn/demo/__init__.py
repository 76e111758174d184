"""`runicorn demo`: a few small real models, trained with numpy while the viewer shows them."""
