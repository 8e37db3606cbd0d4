import pytest

from nightowl.config import check_from_spec, load, spec_to_toml
from nightowl.core.errors import ConfigurationError

PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


def test_the_kind_follows_from_the_scheme(configured):
    text = '[check.a]\nurl = "http://a/"\n[check.b]\nurl = "HTTPS://b/"\n[check.c]\nurl = "tcp://c:1"'
    targets = [check.target for check in configured(text).checks.values()]
    assert [target.kind for target in targets] == ["http", "https", "tcp"]
    assert targets[1].url == "https://b/"


def test_a_kind_that_contradicts_the_scheme_is_refused(mistakes):
    found, allowed = mistakes('[check.a]\nurl = "https://a/"\nkind = "tcp"')["check.a.kind"]
    assert (found, allowed) == ('"tcp"', '"https", or nothing: the kind follows from the scheme of url')


def test_a_scheme_that_is_no_kind_is_refused(mistakes):
    assert (
        mistakes('[check.a]\nurl = "gopher://a/"')["check.a.url"][1]
        == "a URL that begins with a kind (http, https, tcp, tls, dns, icmp, smtp, smtps)"
    )


def test_plug_ins_add_kinds(tmp_path):
    (tmp_path / "nightowl.toml").write_text(
        '[check.a]\nurl = "gopher://a/"\nsend = "x"\n[check.b]\nkind = "gopher"\nurl = "http://b/"'
    )
    checks = load(tmp_path / "nightowl.toml", kinds=("http", "gopher")).checks
    assert [check.target.kind for check in checks.values()] == ["gopher", "gopher"]


def test_a_check_needs_a_url(mistakes):
    assert "check.a.url" in mistakes('[check.a]\nevery = "1m"')
    assert "check.a.url" in mistakes('[check.a]\nkind = "tcp"')


@pytest.mark.parametrize(
    ("url", "key", "table"),
    [
        ("tcp://h:1", "check.a.method", 'method = "GET"'),
        ("tcp://h:1", "check.a.auth", 'auth = { bearer = "x" }'),
        ("tcp://h:1", "check.a.verify", "verify = false"),
        ("tcp://h:1", "check.a.expect.json", 'expect = { json = { "$" = 1 } }'),
        ("tcp://h:1", "check.a.warn.certificate", 'warn = { certificate = "1d" }'),
        ("http://h", "check.a.send", 'send = "x"'),
        ("https://h", "check.a.expect.banner", 'expect = { banner = "x" }'),
    ],
)
def test_keys_that_mean_nothing_to_a_kind_are_refused(mistakes, url, key, table):
    assert mistakes(f'[check.a]\nurl = "{url}"\n{table}')[key][1].startswith("no such key; it means nothing to")


def test_a_key_of_another_kind_is_told_which_keys_there_are(mistakes):
    found = mistakes('[check.a]\nurl = "icmp://h"\nsend = "x"\n[check.b]\nurl = "dns://h"\nexpect = { status = 200 }')
    assert found["check.a.send"][1].endswith("of kind icmp, whose own are family")
    assert found["check.b.expect.status"][1].endswith("of kind dns, whose own are answers")


def test_a_celery_check_is_named_and_may_have_a_password(configured):
    text = '[check.a]\nkind = "celery"\nurl = "redis://:${env:PW}@broker/0"\nqueue = "emails"'
    target = configured(text, PW="hunter22").checks["a"].target
    assert (target.kind, target.queue, target.url) == ("celery", "emails", "redis://:hunter22@broker/0")


@pytest.mark.parametrize(
    ("keys", "key"),
    [
        ('url = "redis://broker/0"', "url"),
        ('kind = "celery"\nurl = "http://broker"', "url"),
        ('kind = "celery"\nurl = "redis://broker/0"\nsend = "x"', "send"),
        ('url = "tcp://user:hunter22@broker:1"', "url"),
    ],
)
def test_what_is_no_celery_check_is_refused_without_its_secrets(mistakes, keys, key):
    found = mistakes(f"[check.a]\n{keys}")
    assert list(found) == [f"check.a.{key}"]
    assert "hunter22" not in str(found)


def test_a_dns_check_has_a_record_a_resolver_and_answers(configured):
    text = 'url = "dns://a"\nrecord = "MX"\nresolver = "10.0.0.2"\nexpect = { answers = ["10 mail.a"] }'
    target = configured(f"[check.a]\n{text}\n[location.l]\nallow = [{{ network = '10.0.0.2' }}]").checks["a"].target
    assert (target.record, target.resolver, target.expect.answers) == ("MX", "10.0.0.2:53", ("10 mail.a",))


@pytest.mark.parametrize(
    ("written", "read"),
    [("[::1]", "[::1]:53"), ("[::1]:5353", "[::1]:5353"), ("ns.a:54", "ns.a:54"), ("ns.a", "ns.a:53")],
)
def test_a_resolver_has_the_usual_port(configured, written, read):
    text = f'[location.l]\nallow = [{{ network = "::1" }}]\n[check.a]\nurl = "dns://a"\nresolver = "{written}"'
    assert configured(text).checks["a"].target.resolver == read


@pytest.mark.parametrize("resolver", ["", "a b", "a:0", "a:b", "dns://a", "[::1"])
def test_what_is_no_resolver_is_refused(mistakes, resolver):
    assert "check.a.resolver" in mistakes(f'[check.a]\nurl = "dns://a"\nresolver = "{resolver}"')


@pytest.mark.parametrize(
    "url",
    [
        "tcp://h",
        "tcp://h:1/path",
        "tcp://h:1?q",
        "tcp://h:0",
        "tcp://h:65536",
        "tls://h",
        "dns://h:53",
        "icmp://h:1",
        "smtp://h/x",
    ],
)
def test_a_url_is_no_more_than_its_kind_has(mistakes, url):
    assert "check.a.url" in mistakes(f'[check.a]\nurl = "{url}"')


@pytest.mark.parametrize(
    "url", ["", "shop", "http://", "http:///x", "http://[::1", "http://a b/", "http://u@h/", "http://h\\u0000/"]
)
def test_what_is_no_url_is_refused(mistakes, url):
    assert "check.a.url" in mistakes(f'[check.a]\nurl = "{url}"')


def test_a_check_takes_over_the_keys_of_its_template(configured):
    check = configured(
        """
        [template.web]
        url = "http://web/"
        every = "30s"
        headers = { A = "1", B = "2" }
        expect = { status = [200, 201], body = "x" }
        locations = ["l", "m"]
        [location.l]
        [location.m]
        [check.a]
        use = "web"
        every = "45s"
        headers = { B = "3" }
        expect = { body = "y" }
        locations = ["m"]
        """
    ).checks["a"]
    assert (check.every, check.locations, check.target.url) == (45.0, ("m",), "http://web/")
    assert check.target.headers == {"A": "1", "B": "3"}
    assert (check.target.expect.body, check.target.expect.status) == ("y", ((200, 200), (201, 201)))


def test_a_mistake_of_a_template_is_told_once_at_the_template(mistakes):
    text = """
    [template.t]
    every = "soon"
    evry = 1
    [check.a]
    use = "t"
    url = "http://a/"
    [check.b]
    use = "t"
    url = "http://b/"
    """
    assert set(mistakes(text)) == {"template.t.every", "template.t.evry"}


def test_a_template_is_named_by_a_string(mistakes):
    assert mistakes('[check.a]\nurl = "http://a/"\nuse = 5')["check.a.use"] == ("5", "a string")


def test_a_template_that_no_check_uses_is_proved_as_well(mistakes):
    assert set(mistakes('[template.t]\nexpect = { regex = "(" }')) == {"template.t.expect.regex"}


def test_a_template_has_no_template(mistakes):
    assert set(mistakes('[template.t]\nuse = "u"\n[template.u]')) == {"template.t.use"}


def test_a_template_that_is_not_declared_is_a_mistake_beside_others(mistakes):
    found = mistakes('[template.web]\n[check.a]\nuse = "wbe"\nurl = "http://a/"\nevery = 5')
    assert found["check.a.use"] == ('"wbe"', "a declared template (web) [NO05]")
    assert "check.a.every" in found


def test_certificates_are_read_from_files_beside_the_configuration(configured, tmp_path):
    (tmp_path / "ca.pem").write_text(PEM)
    loaded = configured('[check.a]\nurl = "https://a/"\nca = "ca.pem"')
    assert loaded.checks["a"].target.ca == PEM
    assert loaded.specs["a"]["ca"] == "ca.pem"
    assert tmp_path / "ca.pem" in loaded.files


def test_certificates_may_stand_in_the_configuration(configured):
    assert configured(f'[check.a]\nurl = "https://a/"\nca = """{PEM}"""').checks["a"].target.ca == PEM


def test_a_file_that_is_no_certificate_is_a_mistake(mistakes, tmp_path):
    (tmp_path / "ca.pem").write_text("hello")
    found = mistakes('[check.a]\nurl = "https://a/"\nca = "ca.pem"\nclient_certificate = "none.pem"')
    assert found["check.a.ca"] == ('"ca.pem"', "a file of PEM text")
    assert found["check.a.client_certificate"][1].startswith("a file that is there")


def test_a_stored_spec_makes_the_same_check_as_the_file(configured):
    text = '[location.l]\n[check.a]\nurl = "http://a/"\nevery = "90s"\nexpect = { status = 204 }\ntags = { a = "b" }'
    loaded = configured(text)
    assert check_from_spec("a", loaded.specs["a"], locations=loaded.locations) == loaded.checks["a"]


def test_exported_checks_load_as_the_same(configured):
    text = """
    [check."a.b"]
    url = "http://a/"
    expect = { json = { "$.ok" = [1, true, "x"] } }
    [check.c]
    url = "tcp://c:1"
    send = "a\\r\\nb"
    """
    loaded = configured(text)
    assert configured(spec_to_toml(loaded.specs)).checks == loaded.checks


def test_a_bad_spec_is_told_by_key_path():
    with pytest.raises(ConfigurationError) as refused:
        check_from_spec("a", {"url": "http://a/", "every": "1s", "locations": ["x"], "quorum": None}, locations=["l"])
    assert {one.key: one.file for one in refused.value.mistakes} == {
        "check.a.every": "",
        "check.a.locations[0]": "",
        "check.a.quorum": "",
    }


@pytest.mark.parametrize("name", ["", "a b", "a/b", "-a", ".a", "x" * 101, "ä"])
def test_a_name_that_cannot_be_is_refused(name):
    with pytest.raises(ConfigurationError, match="a name of at most 100"):
        check_from_spec(name, {"url": "http://a/"}, locations=["l"])


def test_a_spec_that_is_far_too_deep_is_refused():
    deep: dict = {}
    inner = deep
    for _ in range(5000):
        inner["x"] = inner = {}
    with pytest.raises(ConfigurationError, match="at most 32 deep"):
        check_from_spec("a", {"url": "http://a/", "expect": {"json": deep}}, locations=["l"])


def test_a_name_that_would_hide_a_pages_data_is_refused():
    with pytest.raises(ConfigurationError) as refused:
        check_from_spec("shop.json", {"url": "http://shop.example/"}, locations=["local"])
    assert ".json" in refused.value.mistakes[0].allowed


def test_a_pattern_nested_beyond_reason_is_a_mistake_and_no_crash():
    pattern = "(" * 3000 + "a" + ")" * 3000
    with pytest.raises(ConfigurationError) as refused:
        check_from_spec("shop", {"url": "http://x/", "expect": {"regex": pattern}}, locations=["local"])
    assert "nested" in refused.value.mistakes[0].allowed
