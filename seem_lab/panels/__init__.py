"""Explorers: pictures with sliders. The only room that imports ipywidgets."""

from seem_lab.panels.blow_up import BlowUp
from seem_lab.panels.panel import Panel

__all__ = ["BlowUp", "Panel"]
