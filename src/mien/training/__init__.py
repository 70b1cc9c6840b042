"""Where gradients, optimisers and runs are; the only part that imports Lightning."""
