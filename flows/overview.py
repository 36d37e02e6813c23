"""朝の一覧: how everything stands, on one page with its plots, for whoever opens the screens in the morning.

Nothing is decided and nothing changed here. A run ends well whatever it shows: the page says what needs somebody. It
fails when it could not look, and then the page says that.
"""

from __future__ import annotations

from prefect import flow

from flows.naming import named_by
from tasks.boundary import WHOLE, sealed
from tasks.overview import publish_overview, publish_trends


@flow(name="朝の一覧", flow_run_name=named_by(), **WHOLE)
@sealed
def overview() -> None:
    """すべての市町村・ファイル、一時保存、操作ログ、ウイルス検査、機構への通知の今の状態を、一つのページにまとめます。

    何も変更しません。確認の要ることがあっても実行は完了となり、理由と次にすることはページにあります。
    確認そのものができなかったときは失敗となり、ページは「確認できませんでした」とその理由になります。
    """
    publish_overview()
    publish_trends()
