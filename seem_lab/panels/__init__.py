"""Explorers: pictures with sliders. The only room that imports ipywidgets."""

from seem_lab.panels.blow_up import BlowUp
from seem_lab.panels.kernel_map import KernelMap
from seem_lab.panels.linear_spectrum import LinearSpectrum
from seem_lab.panels.panel import Panel
from seem_lab.panels.two_states import TwoStates

__all__ = ["BlowUp", "KernelMap", "LinearSpectrum", "Panel", "TwoStates"]
