"""The page on which a person agrees to log in, and the one that has a provider call igloo."""

from html import escape

from igloo.laptop.providers.by_hand import TELLING
from igloo.laptop.providers.world import PEOPLE

_COLORS = {
    "kakao": "#fee500",
    "apple": "#000000",
    "google": "#1a73e8",
    "facebook": "#1877f2",
    "naver": "#03c75a",
}
_PAGE = """<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>{title} (demo)</title>
  <link rel="icon" href="data:,">
  <style>
    body {{ font: 16px/1.5 system-ui, sans-serif; margin: 0; background: #f4f4f2; color: #222 }}
    main {{ max-width: 24rem; margin: 4rem auto; padding: 1.5rem; background: #fff;
      border-radius: 12px; border-top: 8px solid {color} }}
    h1 {{ font-size: 1.2rem; margin: 0 0 .25rem }} p {{ color: #666; margin: 0 0 1.25rem }}
    a {{ display: block; padding: .8rem 1rem; margin: .5rem 0; border: 1px solid #ddd;
      border-radius: 8px; color: inherit; text-decoration: none }}
    a:hover {{ border-color: #888 }} small {{ color: #777; display: block }}
    button {{ font: inherit; margin: .2rem 0; padding: .4rem .8rem; cursor: pointer }}
  </style>
</head>
<body><main>
  <h1>{title} (demo)</h1>
  <p>A stand-in on this laptop. {question}</p>
  {people}
</main></body>
</html>
"""


def choose_page(provider: str, path: str) -> str:
    """The page; `path` is its own address, to which the choice is added."""
    people = "\n  ".join(
        f'<a href="{escape(path)}&amp;person={number}">{escape(person.name)}'
        f"<small>{escape(person.email)}</small></a>"
        for number, person in enumerate(PEOPLE)
    )
    people += f'\n  <a href="{escape(path)}&amp;person=nobody">Cancel</a>'
    return _PAGE.format(
        title=provider.title(),
        color=_COLORS[provider],
        question="Who logs in to igloo?",
        people=people,
    )


def front_page() -> str:
    """The page at the stand-ins' own address: buttons that call igloo's webhooks."""
    buttons = "\n  ".join(
        f'<form method="post" action="/{provider}/notice?person={number}">'
        f"<button>{escape(person.name)} at {provider.title()}</button></form>"
        for number, person in enumerate(PEOPLE)
        for provider in TELLING
    )
    return _PAGE.format(
        title="The providers",
        color="#222",
        question="Who wants to have nothing to do with igloo any more? Its webhook is called.",
        people=buttons,
    )
