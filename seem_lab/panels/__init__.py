"""Explorers: pictures with sliders. The only room that imports ipywidgets."""
