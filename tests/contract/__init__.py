import pytest

pytest.register_assert_rewrite("tests.contract.executor_contract", "tests.contract.rig")
