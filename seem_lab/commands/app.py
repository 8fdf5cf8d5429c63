"""`seem-lab app`."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

CELL = "from seem_lab.panels.app import App\n\nApp()"
# Voila's own page, but for the icons it would fetch from elsewhere.
TEMPLATE = """\
{%- extends 'voila/templates/lab/index.html.j2' -%}
{%- import 'spinner.macro.html.j2' as spinner -%}
{%- block notebook_css -%}
{{ resources.include_js('static/voila-style.js') }}
{{ spinner.css() }}
{{ super.super() }}
{%- endblock notebook_css -%}
"""
WIDGETS = "['@jupyter-widgets/jupyterlab-manager', '@voila-dashboards/widgets-manager8', 'anywidget']"  # all it needs


def app(port: int = 8866, browser: bool = True) -> None:
    """Serve every explorer as one page on this computer only, until it is interrupted (Ctrl-C).

    Args:
        port: of the address, http://127.0.0.1:port.
        browser: open it in the browser.
    """
    try:
        import nbformat
        from voila.app import Voila
    except ImportError as error:
        raise SystemExit(f"{error.name} is missing: pip install 'seem_lab[lab]'") from error

    with tempfile.TemporaryDirectory() as folder:
        template = Path(folder, "voila", "templates", "explorers")
        template.mkdir(parents=True)
        (template / "index.html.j2").write_text(TEMPLATE)
        (template / "conf.json").write_text('{"base_template": "lab"}')
        os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, [folder, os.environ.get("JUPYTER_PATH")]))

        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(CELL)],
            metadata={"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
        )
        path = Path(folder, "explorers.ipynb")
        nbformat.write(notebook, path)
        print(f"The explorers: http://127.0.0.1:{port} (Ctrl-C ends)", flush=True)
        settings = ["--Voila.ip=127.0.0.1", f"--port={port}", "--template=explorers"]
        settings += [f"--VoilaConfiguration.extension_allowlist={WIDGETS}"]
        Voila.launch_instance([str(path), *settings, *([] if browser else ["--no-browser"])])
