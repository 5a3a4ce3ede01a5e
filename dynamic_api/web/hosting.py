"""What a web server or host in front of the service has to be told: headers, caching, redirects, and what goes where.

Pure: settings in, configuration out. The values are those that the service sends itself (`headers.py`).
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from dynamic_api.core.settings import Settings
from dynamic_api.web.headers import ASSETS, KINDS, PLAIN, SERVICE, PageKind, page_headers
from sitegen.caching import ASK_AGAIN, FOR_EVER

POLICY = "Content-Security-Policy"
_CHECKOUT = "/api/checkout"
_LARGEST_BODY = 1024 * 1024  # bytes; the service refuses smaller ones itself, where it knows what is asked


@dataclass(frozen=True)
class Hosting:
    """What is known: the settings, the folder of the built site, and where the service listens."""

    settings: Settings
    output: Path
    upstream: str
    snippet_hosts: tuple[str, ...] = ()

    @property
    def site(self) -> str:
        """The address that visitors type."""
        return self.settings.site_url

    @property
    def page(self) -> Mapping[str, str]:
        """Headers of ordinary pages; those of other kinds differ in the policy alone."""
        return page_headers(self.settings)

    def policy(self, kind: PageKind = PLAIN) -> str:
        """What pages of a kind may load."""
        return page_headers(self.settings, kind, self.snippet_hosts)[POLICY]


def caddyfile(hosting: Hosting, *, is_older: bool = False) -> str:
    """For Caddy 2.7 and newer, or with `is_older` for 2.5 and 2.6."""
    common = "\n".join(f'    header {name} "{value}"' for name, value in hosting.page.items() if name != POLICY)
    policies = "\n".join(
        f'''    @{kind.name} path {" ".join(kind.paths)}\n    header @{kind.name} {POLICY} "{hosting.policy(kind)}"'''
        for kind in KINDS
    )
    special = " ".join(path for kind in KINDS for path in kind.paths)
    buffers = "buffer_requests" if is_older else "request_buffers 64KB"
    length = "{http.request.header.Content-Length}"
    return f"""\
# Written by “coursewright host caddy”. Write it again after a change of settings or version.
(page) {{
{common}
{policies}
    @other not path {special}
    header @other {POLICY} "{hosting.policy()}"
    header -Server
}}

{hosting.site} {{
    root * {hosting.output}
    encode zstd gzip

    @service path {_paths(SERVICE)}
    handle @service {{
        @large expression `{length} != "" && int({length}) > {_LARGEST_BODY}`
        error @large 413
        # Requests wait here while the service restarts, instead of failing.
        reverse_proxy {hosting.upstream} {{
            {buffers}
            lb_try_duration 30s
            lb_try_interval 250ms
        }}
    }}

    handle {{
        import page
        @asset {{
            path {ASSETS}*
            file
        }}
        header @asset Cache-Control "{FOR_EVER}"
        header ?Cache-Control {ASK_AGAIN}
        file_server {{
            precompressed zstd br gzip
            hide .coursewright
        }}
    }}

    handle_errors {{
        @page not path {_paths(SERVICE)}
        handle @page {{
            import page
            header Cache-Control no-store
            rewrite * /404.html
            file_server
        }}
        # Who wants to buy while the service is away is led back to the course, with a sentence beside the price.
        @buyer {{
            path {_CHECKOUT}
            header Sec-Fetch-Site same-origin
            expression {{err.status_code}} in [502, 503, 504]
        }}
        handle @buyer {{
            header Cache-Control no-store
            redir {{http.request.header.Referer}}#payment-unavailable 303
        }}
        handle {{
            header Content-Type application/json
            header Cache-Control no-store
            @away expression {{err.status_code}} in [502, 503, 504]
            header @away Retry-After 5
            respond @away `{{"error":{{"code":"unavailable","message":"Please try again in a minute."}}}}` 503
            respond `{{"error":{{"code":"refused","message":"The server refused this request."}}}}` {{err.status_code}}
        }}
    }}
}}
"""


def nginx_conf(hosting: Hosting) -> str:
    """A file for `conf.d/`: maps and one server. TLS is left to certbot, or to what stands before it."""
    common = {name: value for name, value in hosting.page.items() if name != POLICY}
    kinds = "\n".join(f'    "{_expression(path)}" {kind.name};' for kind in KINDS for path in kind.paths)
    policies = "\n".join(f'    {kind.name} "{hosting.policy(kind)}";' for kind in KINDS)
    service = "|".join(path.strip("/") for path in SERVICE)
    lines = "\n".join(f'    add_header {name} "{value}" always;' for name, value in common.items())
    name = hosting.site.partition("://")[2]
    host, _, port = name.partition(":")
    return f"""\
# Written by “coursewright host nginx”. Write it again after a change of settings or version.
map $uri $coursewright_kind {{
    default page;
{kinds}
    "~^{ASSETS}" asset;
}}
map $coursewright_kind $coursewright_policy {{
    default "{hosting.policy()}";
{policies}
}}
map "$uri $http_sec_fetch_site" $coursewright_buyer {{
    default "";
    "{_CHECKOUT} same-origin" 1;
}}
map "$status:$coursewright_kind" $coursewright_cache {{
    default "{ASK_AGAIN}";
    "~^(200|206|304):asset$" "{FOR_EVER}";
    "~^[45]" no-store;
}}

server {{
    listen {port or "80"};
    server_name {host};
    root {hosting.output};
    error_page 404 /404.html;
    server_tokens off;
    absolute_redirect off;
    client_header_timeout 10s;
    client_body_timeout 10s;
    large_client_header_buffers 4 8k;
    gzip on;
    gzip_static on;
    gzip_vary on;
    gzip_types text/css text/javascript application/javascript application/json application/xml image/svg+xml text/vtt;
    charset utf-8;

{lines}
    add_header {POLICY} $coursewright_policy always;
    add_header Cache-Control $coursewright_cache always;

    location / {{
        try_files $uri $uri/ =404;
    }}
    location = /.coursewright {{
        return 404;
    }}
    location ~ ^/({service})/ {{
        # The service sends its own; a header here keeps those above from being inherited.
        add_header X-Content-Type-Options nosniff always;
        proxy_hide_header X-Content-Type-Options;
        client_max_body_size {_LARGEST_BODY};
        proxy_pass http://{hosting.upstream};
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header Host $http_host;
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_connect_timeout 2s;
        error_page 502 504 = @away;
    }}
    location @away {{
        # Who wants to buy while the service is away is led back to the course, with a sentence beside the price.
        if ($coursewright_buyer) {{
            return 303 "${{http_referer}}#payment-unavailable";
        }}
        default_type application/json;
        add_header Retry-After 5 always;
        add_header Cache-Control no-store always;
        return 503 '{{"error":{{"code":"unavailable","message":"Please try again in a minute."}}}}';
    }}
}}
"""


def headers_file(hosting: Hosting) -> str:
    """`_headers`, as Cloudflare Pages and Netlify read it. Rules that match are all applied, so values are detached."""
    lines = ["# Written by “coursewright host cloudflare-pages”.", "/*"]
    lines += [f"  {name}: {value}" for name, value in hosting.page.items()]
    lines.append(f"  Cache-Control: {ASK_AGAIN}")
    for kind in KINDS:
        for path in kind.paths:
            lines += ["", path, f"  ! {POLICY}", f"  {POLICY}: {hosting.policy(kind)}"]
    lines += ["", f"{ASSETS}*", "  ! Cache-Control", f"  Cache-Control: {FOR_EVER}"]
    return "\n".join(lines) + "\n"


def netlify_file(hosting: Hosting) -> str:
    """`netlify.toml`: later rules win there, and the service stands behind two redirects."""

    def rule(path: str, values: Mapping[str, str]) -> str:
        lines = [f"    {json.dumps(name)} = {json.dumps(value)}" for name, value in values.items()]
        return "\n".join(["[[headers]]", f'  for = "{path}"', "  [headers.values]", *lines, ""])

    rules = [rule("/*", {**hosting.page, "Cache-Control": ASK_AGAIN})]
    rules += [rule(path, {POLICY: hosting.policy(kind)}) for kind in KINDS for path in kind.paths]
    rules.append(rule(f"{ASSETS}*", {"Cache-Control": FOR_EVER}))
    for path in SERVICE:
        target = f"https://{hosting.upstream}{path}:splat" if "://" not in hosting.upstream else hosting.upstream + path
        rules.append(
            "\n".join(
                ["[[redirects]]", f'  from = "{path}*"', f'  to = "{target}"', "  status = 200", "  force = true", ""]
            )
        )
    return "# Written by “coursewright host netlify”.\n" + "\n".join(rules)


def s3_policy(hosting: Hosting) -> str:
    """A response headers policy of CloudFront, as `aws cloudfront create-response-headers-policy` takes it.

    Buckets keep types and caching with each file (`coursewright publish` sets them), and no other headers.
    """

    def headers(values: Mapping[str, str]) -> dict[str, object]:
        items = [{"Header": name, "Value": value, "Override": True} for name, value in values.items()]
        return {"CustomHeadersConfig": {"Quantity": len(items), "Items": items}}

    policies = [
        {"Name": "coursewright-pages", "Comment": "Every path but those below", **headers(hosting.page)},
        *(
            {
                "Name": f"coursewright-{kind.name}",
                "Comment": " ".join(kind.paths),
                **headers({**hosting.page, POLICY: hosting.policy(kind)}),
            }
            for kind in KINDS
        ),
    ]
    return json.dumps(policies, indent=2, ensure_ascii=False) + "\n"


def _expression(path: str) -> str:
    """A path as nginx looks for it; of a folder it has put the index file’s name behind it by then."""
    return f"~^{path[:-1]}" if path.endswith("*") else f"~^{path}(index\\.html)?$"


def _paths(prefixes: Iterable[str]) -> str:
    return " ".join(f"{path}*" for path in prefixes)


HOSTS: Mapping[str, Callable[[Hosting], str]] = {
    "caddy": caddyfile,
    "nginx": nginx_conf,
    "cloudflare-pages": headers_file,
    "netlify": netlify_file,
    "s3": s3_policy,
}
