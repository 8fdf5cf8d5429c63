"""Explorers: pictures with sliders. The only room that imports ipywidgets."""

from seem_lab.panels.adam import SteadyClimb
from seem_lab.panels.blow_up import BlowUp
from seem_lab.panels.forecast_game import ForecastGame
from seem_lab.panels.full_scale import FullScale
from seem_lab.panels.kernel_map import KernelMap
from seem_lab.panels.kernel_ray import KernelRay
from seem_lab.panels.linear_spectrum import LinearSpectrum
from seem_lab.panels.panel import Panel
from seem_lab.panels.remedy_bench import RemedyBench
from seem_lab.panels.seem_explorer import SeemExplorer
from seem_lab.panels.switch_on import SwitchOn
from seem_lab.panels.target_network import TargetNetwork
from seem_lab.panels.two_states import TwoStates

__all__ = [
    "BlowUp",
    "ForecastGame",
    "FullScale",
    "KernelMap",
    "KernelRay",
    "LinearSpectrum",
    "Panel",
    "RemedyBench",
    "SeemExplorer",
    "SteadyClimb",
    "SwitchOn",
    "TargetNetwork",
    "TwoStates",
]
