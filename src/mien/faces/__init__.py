"""Faces in photographs: where they are, their landmarks, the crop that methods see, and the way
back.
"""
