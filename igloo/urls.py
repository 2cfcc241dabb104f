"""Every path of igloo. An app's own paths are in its `urls.py`."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from apps.members.urls import page_urlpatterns, webhook_urlpatterns
from apps.ops.urls import api_urlpatterns as ops_api_urlpatterns
from apps.ops.views import UnknownPathView

admin.site.site_header = "igloo"
admin.site.site_title = "igloo"
admin.site.index_title = "Operators"
# Lists with pictures need the width.
admin.site.enable_nav_sidebar = False

admin.site.site_url = "/api/docs"

urlpatterns = [
    path("", RedirectView.as_view(url="/api/docs")),
    path("", include("apps.ops.urls")),
    path("account/", include(page_urlpatterns)),
    path("api/v1/", include("apps.media.urls")),
    path("api/v1/", include("apps.members.urls")),
    path("api/v1/", include("apps.posts.urls")),
    path("api/v1/", include(ops_api_urlpatterns)),
    re_path(r"^api(/|$)", UnknownPathView.as_view()),
    path("webhooks/", include(webhook_urlpatterns)),
    path("admin/", admin.site.urls),
]
if settings.UPLOAD_DRIVER == "apps.media.drivers.local":
    urlpatterns.append(path("", include("apps.media.local_storage")))

if settings.DEMO_PROVIDERS:
    urlpatterns.append(path("demo/", include("igloo.laptop.providers.demo_page")))

handler400 = "apps.common.problems.handler400"
handler403 = "apps.common.problems.handler403"
handler404 = "apps.common.problems.handler404"
handler500 = "apps.common.problems.handler500"
