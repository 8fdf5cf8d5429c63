"""Explorers: pictures with sliders. The only room that imports ipywidgets."""

from seem_lab.panels.adam import Adam
from seem_lab.panels.blow_up import BlowUp
from seem_lab.panels.forecast_game import ForecastGame
from seem_lab.panels.full_scale import FullScale
from seem_lab.panels.kernel_map import KernelMap
from seem_lab.panels.kernel_ray import KernelRay
from seem_lab.panels.linear import Linear
from seem_lab.panels.panel import Panel
from seem_lab.panels.remedies import Remedies
from seem_lab.panels.seem import Seem
from seem_lab.panels.self_excitation import SelfExcitation
from seem_lab.panels.stability_map import StabilityMap
from seem_lab.panels.switch_on import SwitchOn

__all__ = [
    "Adam",
    "BlowUp",
    "ForecastGame",
    "FullScale",
    "KernelMap",
    "KernelRay",
    "Linear",
    "Panel",
    "Remedies",
    "Seem",
    "SelfExcitation",
    "StabilityMap",
    "SwitchOn",
]
