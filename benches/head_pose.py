"""How well heads are found where they are: rendered heads, whose place and turn is known, as pictures.

A head is the surface of 468 points that MediaPipe's face mesh finds in a photograph of tests/pictures,
with the photograph as its skin, drawn by a small rasteriser at known turns and distances. Neither the
surface nor the drawing is the solver's: that knows five points of a mean head. `rapport analyze` then finds the
faces and their landmarks in the pixels, as anywhere.

    python -m venv /tmp/heads && /tmp/heads/bin/pip install mediapipe==0.10.21 pillow
    /tmp/heads/bin/python benches/head_pose.py        # --pictures FOLDER keeps some, to look at

MediaPipe (Apache-2.0) is fetched for this bench and is no part of the package. Every head is drawn at the size of a
mean adult's: 63 mm between the pupils.
"""

import argparse
import collections
import itertools
import json
import os
import subprocess
import tempfile
from pathlib import Path

import cv2
import mediapipe as mp
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = Path(os.environ.get("RAPPORT_BIN_DIR", ROOT / "target" / "release")) / "rapport"
SIZE = 640, 480
PUPILS_M = 0.063
PEOPLE = {"astronaut.jpg": "happy", "hopper.jpg": "neutral"}
YAWS_DEG = range(-60, 61, 10)
PITCHES_DEG = (-15, 0, 15)
DISTANCES_M = (0.6, 1.0, 1.6, 2.4)
VIEWS_DEG = (50, 75)
BEARINGS = (-0.6, 0.0, 0.6)  # of the way from the middle to the edge of the picture

# Points of the mesh: corners of the eyes, and pairs that mirror one another.
EYES = (33, 133), (362, 263)
PAIRS = [(33, 263), (133, 362), (61, 291), (234, 454), (127, 356), (58, 288), (70, 300), (49, 279)]
CHIN, FOREHEAD = 152, 10


def triangles():
    """The triangles of the mesh, from its list of directed edges."""
    following = collections.defaultdict(set)
    for a, b in mp.solutions.face_mesh.FACEMESH_TESSELATION:
        following[a].add(b)
    found = set()
    for a in following:
        for b in following[a]:
            for c in following[b]:
                if a in following[c]:
                    found.add(tuple(sorted((a, b, c))))
    return sorted(found)


def oval():
    """The points at the edge of the face, in their order."""
    return ring_of(mp.solutions.face_mesh.FACEMESH_FACE_OVAL)


def ring_of(edges):
    """The points of a closed line, in their order, whichever way its edges are given."""
    beside = collections.defaultdict(list)
    for a, b in edges:
        beside[a].append(b)
        beside[b].append(a)
    ring = [next(iter(beside))]
    while len(ring) < len(beside):
        ring.append(next(point for point in beside[ring[-1]] if point not in ring[-2:]))
    return ring


# Around the mouth's opening; MediaPipe lists the lips in one set.
MOUTH = [78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191]


class Head:
    """Points in metres in the head's own axes (x to the right of the photograph, y down, z into it;
    from between the eyes), where each is in the photograph, and the triangles between them."""

    def __init__(self, name):
        self.photograph = cv2.imread(str(ROOT / "tests" / "pictures" / name))
        height, width = self.photograph.shape[:2]
        with mp.solutions.face_mesh.FaceMesh(static_image_mode=True) as mesh:
            (face,) = mesh.process(self.photograph[:, :, ::-1]).multi_face_landmarks
        seen = np.array([(p.x * width, p.y * height, p.z * width) for p in face.landmark])
        left, right = (seen[list(pair)].mean(0) for pair in EYES)
        # The person looks to the side in the photograph: the head's own axes are those of its symmetry.
        across = sum(seen[b] - seen[a] for a, b in PAIRS)
        across /= np.linalg.norm(across)
        down = seen[CHIN] - seen[FOREHEAD]
        down -= across * (down @ across)
        down /= np.linalg.norm(down)
        axes = np.array([across, down, np.cross(across, down)])
        metres = PUPILS_M / np.linalg.norm(right - left)
        points = (seen - (left + right) / 2) @ axes.T * metres
        self.triangles = triangles()
        self.where = seen[:, :2].astype(np.float32)
        self.points = points
        faces = mp.solutions.face_mesh
        eyes = faces.FACEMESH_LEFT_EYE, faces.FACEMESH_RIGHT_EYE
        # The mesh leaves the eyes and the mouth open; an eye's ball stands out a little.
        for ring, out_m in (*((ring_of(eye), 0.003) for eye in eyes), (MOUTH, 0.0)):
            self.close(ring, out_m)
        self.grow_a_skull()

    def close(self, ring, out_m):
        """A fan of triangles over a hole of the mesh."""
        middle = len(self.points)
        self.points = np.vstack([self.points, self.points[ring].mean(0) - [0, 0, out_m]])
        self.where = np.vstack([self.where, self.where[ring].mean(0)]).astype(np.float32)
        following = [*ring[1:], ring[0]]
        self.triangles += [(a, b, middle) for a, b in zip(ring, following, strict=True)]

    def grow_a_skull(self):
        """Rings around the face that lead back: hair, ears and neck as the photograph shows them."""
        ring = oval()
        edge, place = self.points[ring], self.where[ring]
        middle, middle_px = self.points[ring].mean(0), self.where[ring].mean(0)
        before = ring
        for wider, back_m in ((1.18, 0.02), (1.34, 0.05), (1.42, 0.09)):
            points = middle + (edge - middle) * [wider, wider, 1.0] + [0, 0, back_m]
            first = len(self.points)
            self.points = np.vstack([self.points, points])
            grown = middle_px + (place - middle_px) * wider
            self.where = np.vstack([self.where, grown]).astype(np.float32)
            now = list(range(first, first + len(ring)))
            for i in range(len(ring)):
                j = (i + 1) % len(ring)
                self.triangles.append((before[i], before[j], now[i]))
                self.triangles.append((before[j], now[j], now[i]))
            before = now


def rotation(yaw_deg, pitch_deg):
    """Turns the head in place: its face to the right of the picture, and up."""
    (sy, cy), (sp, cp) = ((np.sin(a), np.cos(a)) for a in np.radians([yaw_deg, pitch_deg]))
    # The face points along -z. To the right: about the axis down.
    yaw = np.array([[cy, 0, -sy], [0, 1, 0], [sy, 0, cy]])
    pitch = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    return yaw @ pitch


def draw(head, turned, position, view_deg, smooth=2):
    """The picture of a head by a camera, with its truth seen from the camera."""
    width, height = (side * smooth for side in SIZE)
    focal = width / 2 / np.tan(np.radians(view_deg) / 2)
    points = head.points @ turned.T + position
    u = points[:, 0] / points[:, 2] * focal + width / 2
    v = points[:, 1] / points[:, 2] * focal + height / 2
    # Only the part of the picture that the head covers, from a whole pixel on.
    first_x, first_y = (smooth * (max(int(w.min()), 0) // smooth) for w in (u, v))
    u, v = u - first_x, v - first_y
    width, height = (
        smooth * (min(int(w.max()) + 1, side - first) // smooth + 1)
        for w, side, first in ((u, width, first_x), (v, height, first_y))
    )
    depth = np.full((height, width), np.inf)
    texture = np.full((height, width, 2), -1, np.float32)
    for corners in head.triangles:
        a, b, c = corners
        area = (u[b] - u[a]) * (v[c] - v[a]) - (u[c] - u[a]) * (v[b] - v[a])
        if abs(area) < 1e-9:
            continue
        index = list(corners)
        left, right = int(u[index].min()), int(u[index].max()) + 1
        top, bottom = int(v[index].min()), int(v[index].max()) + 1
        left, top = max(left, 0), max(top, 0)
        right, bottom = min(right, width), min(bottom, height)
        if right <= left or bottom <= top:
            continue
        x = np.arange(left, right)[None, :] + 0.5
        y = np.arange(top, bottom)[:, None] + 0.5
        at_b = ((x - u[a]) * (v[c] - v[a]) - (u[c] - u[a]) * (y - v[a])) / area
        at_c = ((u[b] - u[a]) * (y - v[a]) - (x - u[a]) * (v[b] - v[a])) / area
        weights = np.stack([1 - at_b - at_c, at_b, at_c], -1)
        inside = (weights >= -1e-6).all(-1)
        # Shares of a triangle in perspective go with 1/z.
        near = weights / points[index, 2]
        inverse = near.sum(-1)
        with np.errstate(divide="ignore", invalid="ignore"):
            z = 1 / inverse
            place = near @ head.where[index] / inverse[..., None]
        part = depth[top:bottom, left:right]
        shown = inside & (z < part) & (z > 0)
        part[shown] = z[shown]
        texture[top:bottom, left:right][shown] = place[shown]
    skin = cv2.remap(
        head.photograph, texture, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    left, top = first_x // smooth, first_y // smooth
    picture = np.linspace(90, 130, SIZE[0])[None, :, None] * np.ones((SIZE[1], 1, 3))
    part = picture[top : top + height // smooth, left : left + width // smooth]
    rows, columns = part.shape[:2]
    wall = np.repeat(np.repeat(part, smooth, 0), smooth, 1)
    covered = np.isinf(depth)[: rows * smooth, : columns * smooth, None]
    drawn = np.where(covered, wall, skin[: rows * smooth, : columns * smooth])
    part[:] = cv2.resize(drawn, (columns, rows), interpolation=cv2.INTER_AREA)
    picture = np.round(picture).astype(np.uint8)
    face = -turned[:, 2]
    return picture, facing(face, position)


def facing(face, position):
    """Yaw and pitch of a direction as they are seen from the camera, in degrees."""
    ahead = position / np.linalg.norm(position)
    right = np.cross([0.0, 1.0, 0.0], ahead)
    right /= np.linalg.norm(right)
    up = -np.cross(ahead, right)
    up *= -np.sign(up[1])
    yaw = np.degrees(np.arctan2(face @ right, -(face @ ahead)))
    return yaw, np.degrees(np.arcsin(np.clip(face @ up, -1, 1)))


def scenes():
    for name in PEOPLE:
        head = Head(name)
        grid = itertools.product(YAWS_DEG, PITCHES_DEG, DISTANCES_M, VIEWS_DEG)
        for number, (yaw, pitch, distance, view) in enumerate(grid):
            bearing = BEARINGS[number % len(BEARINGS)] * np.tan(np.radians(view) / 2)
            position = np.array([bearing, 0.05, 1.0])
            position *= distance / np.linalg.norm(position)
            picture, (seen_yaw, seen_pitch) = draw(head, rotation(yaw, pitch), position, view)
            truth = {
                "person": name,
                "distance": distance,
                "yaw": seen_yaw,
                "pitch": seen_pitch,
                "view": view,
                "position": position,
            }
            yield picture, truth


def analyze(pictures, view):
    command = [PROGRAM, "analyze", "--json", f"--horizontal-fov-deg={view}", *pictures]
    found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return {Path(one["picture"]).name: one["faces"] for one in found}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=Path, help="keep the pictures in this folder")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as kept:
        folder = arguments.pictures or Path(kept)
        folder.mkdir(parents=True, exist_ok=True)
        truths = {}
        for number, (picture, truth) in enumerate(scenes()):
            name = f"head_{number:04}.png"
            cv2.imwrite(str(folder / name), picture)
            truths[name] = truth
        faces = {}
        for view in VIEWS_DEG:
            of_view = [folder / name for name, truth in truths.items() if truth["view"] == view]
            faces |= analyze(of_view, view)
        report(truths, faces)


def report(truths, faces):
    rows = []
    for name, truth in truths.items():
        found = faces.get(name, [])
        face = found[0] if found else None
        pose = face and face.get("pose")
        row = {"yaw": truth["yaw"], "pitch": truth["pitch"], "true": truth, "found": bool(face)}
        if pose:
            row["yaw_error"] = pose["yaw_deg"] - truth["yaw"]
            row["pitch_error"] = pose["pitch_deg"] - truth["pitch"]
            row["distance_error"] = pose["distance_m"] / truth["distance"] - 1
            row["in_stds"] = (pose["distance_m"] - truth["distance"]) / pose["distance_std_m"]
            away = np.array(pose["position_m"]) / pose["distance_m"]
            row["bearing_error"] = np.degrees(
                np.arccos(np.clip(away @ truth["position"] / truth["distance"], -1, 1))
            )
        if face:
            expected = PEOPLE[truth["person"]]
            row["label"] = face["label"] == expected
            row["confidence"] = face["probabilities"][expected]
        rows.append(row)
    print(f"{len(rows)} pictures of {len(PEOPLE)} people, {SIZE[0]}x{SIZE[1]} px")
    header = "yaw", "pictures", "found", "yaw error", "bias", "pitch error", "distance", "bias"
    print("".join(f"{word:>13}" for word in (*header, "expression", "probability")))
    bands = [(low, low + 10) for low in range(0, 70, 10)] + [(0, 40), (0, 45)]
    for low, high in bands:
        of_band = [row for row in rows if low <= abs(row["yaw"]) < high]
        print_band(f"{low} to {high}", of_band)
    for distance in DISTANCES_M:
        near = [r for r in rows if r["true"]["distance"] == distance and abs(r["yaw"]) <= 40]
        print_band(f"{distance} m", near)
    posed = [row for row in rows if "in_stds" in row and abs(row["yaw"]) <= 40]
    within = np.mean([abs(row["in_stds"]) < 1 for row in posed])
    print(f"to 40 degrees: distance within its standard deviation in {within:.0%}")
    for key, most, name in (("yaw_error", 8, "8 degrees"), ("distance_error", 0.12, "12 %")):
        share = np.mean([abs(row[key]) <= most for row in posed])
        print(f"to 40 degrees: {key.split('_')[0]} within {name} in {share:.0%}")
    bearings = [row["bearing_error"] for row in posed]
    print(
        f"bearing: median {np.median(bearings):.2f} degrees, 95 % {np.quantile(bearings, 0.95):.2f}"
    )
    print(
        "yaw, pitch and distance: medians of what they are off; bias: median with its sign, of a yaw "
        "with the sign of its truth; expression: as in the photograph from the front"
    )


def print_band(name, rows):
    posed = [row for row in rows if "yaw_error" in row]
    found = [row for row in rows if row["found"]]
    if not posed:
        print(f"{name:>13}{len(rows):>13}{len(found):>13}")
        return

    def of(key):
        return np.array([row[key] for row in posed])

    outward = of("yaw_error") * np.sign([row["yaw"] for row in posed])
    cells = [
        name,
        len(rows),
        f"{len(found) / len(rows):.0%}",
        f"{np.median(abs(of('yaw_error'))):.1f}",
        f"{np.median(outward):+.1f}",
        f"{np.median(abs(of('pitch_error'))):.1f}",
        f"{np.median(abs(of('distance_error'))):.1%}",
        f"{np.median(of('distance_error')):+.1%}",
        f"{np.mean([row['label'] for row in found]):.0%}",
        f"{np.mean([row['confidence'] for row in found]):.2f}",
    ]
    print("".join(f"{cell:>13}" for cell in cells))


if __name__ == "__main__":
    main()
