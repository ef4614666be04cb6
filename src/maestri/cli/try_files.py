"""What `maestri try` plays with: a small shop with tests, five scripted workers, and their workflow."""

from __future__ import annotations

from typing import Final

SHOP: Final[dict[str, str]] = {
    ".gitignore": "__pycache__/\n",
    "README.md": "# Shop\n\nPrices, a cart, and their tests: `python3 -m unittest`.\n",
    "shop/__init__.py": "",
    "shop/prices.py": '''\
"""What things cost, in cents."""

_PRICES = {"apple": 30, "bread": 250, "coffee": 499}


def price_of(name):
    """Return the price of one."""
    return _PRICES[name]
''',
    "shop/cart.py": '''\
"""A cart is a list of names, each with a count."""

from shop.prices import price_of


def subtotal(items):
    """Return what the items cost, in cents."""
    return sum(price_of(name) * count for name, count in items)


def total(items):
    """Return what is to be paid, in cents."""
    return subtotal(items)
''',
    "tests/__init__.py": "",
    "tests/test_cart.py": """\
import unittest

from shop.cart import total


class Cart(unittest.TestCase):
    def test_a_cart_costs_what_its_items_cost(self):
        self.assertEqual(total([("apple", 3), ("bread", 1)]), 340)

    def test_an_empty_cart_costs_nothing(self):
        self.assertEqual(total([]), 0)
""",
}

_FINE: Final = '''\
"""Adds a receipt, in files of its own."""

from pathlib import Path

Path("shop/receipt.py").write_text(\'\'\'\\
"""A cart in words."""

from shop.prices import price_of


def receipt(items):
    """Return one line for each kind of item."""
    return [f"{count} {name} {price_of(name) * count}" for name, count in items]
\'\'\')
Path("tests/test_receipt.py").write_text(\'\'\'\\
import unittest

from shop.receipt import receipt


class Receipt(unittest.TestCase):
    def test_there_is_a_line_for_each_kind(self):
        self.assertEqual(receipt([("apple", 2)]), ["2 apple 60"])
\'\'\')
'''

_KILLED: Final = '''\
"""Adds a discount; writes the first half, says so, and then waits for its end, which is a `kill -9`.

When it is started again it finds its first half, and does the second one.
"""

import subprocess
import sys
import time
from pathlib import Path

test, cart = Path("tests/test_discount.py"), Path("shop/cart.py")
if not test.exists():
    test.write_text(\'\'\'\\
import unittest

from shop.cart import total


class Discount(unittest.TestCase):
    def test_a_tenth_is_off(self):
        self.assertEqual(total([("bread", 2)], discount=10), 450)
\'\'\')
    tell = [sys.executable, "-m", "maestri", "tell", "checkpoint", "the first half is written"]
    subprocess.run(tell, check=True)
    time.sleep(30)
text = cart.read_text()
text = text.replace("def total(items):", "def total(items, discount=0):")
text = text.replace("return subtotal(items)", "return subtotal(items) * (100 - discount) // 100")
cart.write_text(text)
'''

_CONFLICT: Final = '''\
"""Adds the costs of shipping, in the lines that the discount changes, too."""

from pathlib import Path

cart = Path("shop/cart.py")
text = cart.read_text()
text = text.replace("def total(items):", "def total(items, shipping=0):")
text = text.replace("return subtotal(items)", "return subtotal(items) + shipping")
cart.write_text(text)
Path("shop/shipping.py").write_text(\'\'\'\\
"""What it costs to send a cart, in cents."""

_NEAR = {"AT", "CH", "DE"}


def shipping_to(country, weight_g):
    """Return the price of a parcel."""
    near = country in _NEAR
    return (490 if near else 990) + (weight_g // 1000) * (50 if near else 200)
\'\'\')
Path("tests/test_shipping.py").write_text(\'\'\'\\
import unittest

from shop.cart import total
from shop.shipping import shipping_to


class Shipping(unittest.TestCase):
    def test_a_near_parcel_is_cheap(self):
        self.assertEqual(shipping_to("AT", 2500), 590)

    def test_shipping_is_added(self):
        self.assertEqual(total([("bread", 1)], shipping=490), 740)
\'\'\')
'''

_COMBINATION: Final = '''\
"""Renames `price_of` everywhere. All tests pass; only the receipt, made elsewhere, calls the old name."""

from pathlib import Path

for name in ("shop/prices.py", "shop/cart.py"):
    file = Path(name)
    file.write_text(file.read_text().replace("price_of", "unit_price"))
Path("shop/currency.py").write_text(\'\'\'\\
"""Prices in other currencies."""

from shop.prices import unit_price

_RATES = {"EUR": 100, "USD": 108, "CHF": 96, "GBP": 86, "JPY": 16000, "SEK": 1140, "NOK": 1160, "DKK": 746}


def price_in(name, currency):
    """Return the price of one in hundredths of another currency."""
    return unit_price(name) * _RATES[currency] // 100
\'\'\')
Path("tests/test_prices.py").write_text(\'\'\'\\
import unittest

from shop.currency import price_in
from shop.prices import unit_price


class Prices(unittest.TestCase):
    def test_coffee_has_a_price(self):
        self.assertEqual(unit_price("coffee"), 499)

    def test_an_unknown_thing_has_none(self):
        with self.assertRaises(KeyError):
            unit_price("moon")

    def test_a_price_in_dollars(self):
        self.assertEqual(price_in("bread", "USD"), 270)

    def test_a_price_in_francs(self):
        self.assertEqual(price_in("bread", "CHF"), 240)
\'\'\')
'''

_STRAY: Final = '''\
"""Adds labels, which it has claimed, and makes a test of others pass with anything, which it has not."""

from pathlib import Path

Path("shop/labels.py").write_text(\'\'\'\\
"""Labels for shelves."""


def label(name, cents):
    """Return what stands on a shelf."""
    return f"{name}: {cents / 100:.2f}"
\'\'\')
test = Path("tests/test_cart.py")
test.write_text(test.read_text().replace("340", "total([(\\'apple\\', 3), (\\'bread\\', 1)])"))
'''

_RESOLVER: Final = '''\
"""Resolves the conflict in the cart: both a discount and shipping, each in its place."""

from pathlib import Path

cart = Path("shop/cart.py")
before = cart.read_text().partition("<<<<<<<")[0]
cart.write_text(before + \'\'\'\\
def total(items, discount=0, shipping=0):
    """Return what is to be paid, in cents."""
    return subtotal(items) * (100 - discount) // 100 + shipping
\'\'\')
'''

WORKERS: Final[dict[str, str]] = {
    "fine.py": _FINE,
    "killed.py": _KILLED,
    "conflict.py": _CONFLICT,
    "combination.py": _COMBINATION,
    "stray.py": _STRAY,
    "resolver.py": _RESOLVER,
}

WORKFLOW: Final = """\
workflow: try
version: 1.0.0
description: Five workers change a small shop at once, each in its own worktree; what is good lands.
inputs:
  workers: {type: path, description: the folder of the scripts that play the workers}

steps:
  team:
    parallel:
      join: settled
      branches:
        fine:
          run: python3 "$WORKERS/fine.py"
          description: adds a receipt
          env: {WORKERS: "${inputs.workers}"}
          workspace: worktree
          claims: [shop/receipt.py, tests/test_receipt.py]
          estimate: {duration: 2s}
        killed:
          run: python3 "$WORKERS/killed.py"
          description: adds a discount; is killed when half of it is written
          env: {WORKERS: "${inputs.workers}"}
          workspace: worktree
          claims: [shop/cart.py, tests/test_discount.py]
          estimate: {duration: 2s}
        conflict:
          run: python3 "$WORKERS/conflict.py"
          description: adds shipping, in the same lines as the discount
          env: {WORKERS: "${inputs.workers}"}
          workspace: worktree
          claims: [shop/cart.py, shop/shipping.py, tests/test_shipping.py]
          estimate: {duration: 2s}
        combination:
          run: python3 "$WORKERS/combination.py"
          description: renames a function, which breaks only together with the receipt
          env: {WORKERS: "${inputs.workers}"}
          workspace: worktree
          claims: [shop/prices.py, shop/cart.py, shop/currency.py, tests/test_prices.py]
          estimate: {duration: 2s}
        stray:
          run: python3 "$WORKERS/stray.py"
          description: adds labels, and weakens a test that it has not claimed
          env: {WORKERS: "${inputs.workers}"}
          workspace: worktree
          claims: [shop/labels.py]
          estimate: {duration: 2s}

  land:
    land:
      verify: python3 -m unittest discover -q -s tests -t .
      resolve:
        run: python3 "$WORKERS/resolver.py"
        env: {WORKERS: "${inputs.workers}"}

output: {commit: "${land.commit}", landed: "${len(land.landed)}", left_out: "${len(land.left_out)}"}
"""
