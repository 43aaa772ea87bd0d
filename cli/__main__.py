"""``python -m cli`` is ``yinxin``."""

from cli.main import app

app(prog_name="yinxin")
