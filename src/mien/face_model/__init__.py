"""The face model: a 3-D blendshape face fitted to one photograph, which draws it in any expression.

Mesh, fit, pose, light, raster, and the parts that a photograph does not show: the inside of the
mouth, closed lids, folds. The data engine (`rig`) and the methods draw by it.
"""
