import pytest

from cutwatch.features.path_templates import path_template


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/cart", "/cart"),
        ("/cart/", "/cart"),
        ("/", "/"),
        ("", "/"),
        ("/orders/8812/items?page=2#top", "/orders/{id}/items"),
        ("/v2/54fadb412c4e40cdbaed9335e4c35a9e/servers/detail", "/v2/{id}/servers/detail"),
        ("/users/3f2a77c0-8d1e-4c3b-9a77-0123456789ab", "/users/{id}"),
        ("/mail/jane.doe@example.com", "/mail/{id}"),
        ("/reset/eyJhbGciOiJIUzI1NiJ9abc", "/reset/{id}"),
        ("/products/sku-10023", "/products/sku-{id}"),
        ("/reports/2026-11-28", "/reports/{id}"),
        ("/api/v2/oauth2/token", "/api/v2/oauth2/token"),
        ("/assets/facade", "/assets/facade"),
        ("//cart//items", "/cart/items"),
    ],
)
def test_ids_in_a_path_are_recognised(path: str, template: str) -> None:
    assert path_template(path) == template


def test_a_deep_path_ends_after_eight_segments() -> None:
    assert path_template("/a/b/c/d/e/f/g/h/i/j") == "/a/b/c/d/e/f/g/h/…"


def test_a_long_path_is_cut() -> None:
    assert len(path_template("/" + "a" * 100_000)) == 160
