"""An operator's browser."""

import pytest

from tenants.models import Person
from tests.client import PASSWORD
from tests.console.doors import prove, sign_in
from tests.portal.browser import SQUARE, Browser


@pytest.fixture
def operator(db: None) -> Browser:
    """A browser in which an operator has signed in."""
    person = Person.objects.create_user("operator@plaza.test", PASSWORD, kind=Person.Kind.OPERATOR)
    browser = Browser(SQUARE)
    sign_in(browser, "operator@plaza.test", status=302)
    prove(browser, person)
    return browser
