"""Downloads a model with MLflow, or resolves an alias or stage to a version. Runs in a virtualenv of mlflow-skinny.

python download_model.py --download URI FOLDER
python download_model.py --resolve URI
"""

import shutil
import sys


def main() -> int:
    action, uri, *rest = sys.argv[1:]
    try:
        if action == "--resolve":
            print(resolve(uri))
        else:
            download(uri, rest[0])
    except ImportError as error:
        print(
            f"Davit has no package {error.name or error} to read this URI; download the model and use its path",
            file=sys.stderr,
        )
        return 1
    except Exception as error:
        print(str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__, file=sys.stderr)
        return 1
    return 0


def resolve(uri: str) -> str:
    from mlflow import MlflowClient

    name, _, target = uri.removeprefix("models:").lstrip("/").rpartition("@" if "@" in uri else "/")
    client = MlflowClient()
    if "@" in uri:
        return client.get_model_version_by_alias(name, target).version
    versions = client.search_model_versions(f"name='{name}'")
    if target.lower() != "latest":
        versions = [v for v in versions if v.current_stage.lower() == target.lower()]
    return str(max(int(v.version) for v in versions))


def download(uri: str, folder: str) -> None:
    from mlflow.artifacts import download_artifacts

    # Download into a subfolder, because some stores keep the last part of the URI as a folder and others do not.
    place = download_artifacts(artifact_uri=uri, dst_path=f"{folder}/download")
    shutil.copytree(place, folder, dirs_exist_ok=True)
    shutil.rmtree(f"{folder}/download", ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
