import pytest

PAGES = [
    "/", "/checks", "/checks/shop-checkout", "/locations", "/incidents", "/incidents/own-office-1", "/channels", "/add",
    "/checks/shop-checkout/edit",
]  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_drawn_for_the_scene(client, path):
    answer = client.get(path)
    assert answer.status_code == 200
    assert "</html>" in answer.text


@pytest.mark.parametrize("path", PAGES)
def test_every_page_has_its_data_as_json(client, path):
    answer = client.get("/now.json" if path == "/" else f"{path}.json")
    assert answer.status_code == 200
    assert isinstance(answer.json(), dict)
