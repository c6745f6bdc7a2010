"""What a type checker sees of `rapport`; `__init__.py` loads it when it is asked for."""

from rapport._api import BagMessage as BagMessage
from rapport._api import BagPicture as BagPicture
from rapport._api import Box as Box
from rapport._api import Evaluation as Evaluation
from rapport._api import EvaluationError as EvaluationError
from rapport._api import Explanation as Explanation
from rapport._api import ImageError as ImageError
from rapport._api import ModelError as ModelError
from rapport._api import Person as Person
from rapport._api import Pipeline as Pipeline
from rapport._api import Pose as Pose
from rapport._api import RapportError as RapportError
from rapport._api import Recording as Recording
from rapport._api import RecordingError as RecordingError
from rapport._api import RecordingWarning as RecordingWarning
from rapport._api import SettingError as SettingError
from rapport._api import Table as Table
from rapport._api import Timings as Timings
from rapport._api import Topic as Topic
from rapport._api import Tracked as Tracked
from rapport._api import Warned as Warned
from rapport._api import __version__ as __version__
from rapport._api import evaluate as evaluate
from rapport._api import onnxruntime_version as onnxruntime_version
from rapport._api import read_bag as read_bag
from rapport._api import track as track
