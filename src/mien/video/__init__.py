"""Films: read and written as a stream, faces followed and steadied, frames edited and marked."""
