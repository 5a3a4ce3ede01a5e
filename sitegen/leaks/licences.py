"""The openings of licences that many courses carry (https://spdx.org/licenses/): no paid text, wherever they stand."""

LICENCES = (
    "This work is licensed under a Creative Commons Attribution 4.0 International License.",
    "This work is licensed under a Creative Commons Attribution-ShareAlike 4.0 International License.",
    "This work is licensed under the Creative Commons Attribution-NonCommercial-ShareAlike 4.0 International License.",
    "You are free to share, copy and redistribute the material in any medium or format, and to adapt, remix, "
    "transform and build upon the material for any purpose, even commercially. You must give appropriate credit, "
    "provide a link to the license, and indicate if changes were made. You may do so in any reasonable manner, "
    "but not in any way that suggests the licensor endorses you or your use. If you remix, transform, or build "
    "upon the material, you must distribute your contributions under the same license as the original.",
    "Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated "
    "documentation files (the “Software”), to deal in the Software without restriction, including without "
    "limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of "
    "the Software, and to permit persons to whom the Software is furnished to do so, subject to the following "
    "conditions: The above copyright notice and this permission notice shall be included in all copies or "
    "substantial portions of the Software.",
    "Licensed under the Apache License, Version 2.0 (the “License”); you may not use this file except in "
    "compliance with the License. You may obtain a copy of the License at",
)
