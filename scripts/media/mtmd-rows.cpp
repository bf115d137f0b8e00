// What llama.cpp's own multimodal library makes of images and sounds: the tokens around them, the rows that the model gets,
// where the rows stand, and what a model says about them. Built and run by mtmd-program.ts, see there.
//
//   mtmd-rows LIBRARIES MODEL PROJECTOR FLASH ROWS SPECTROGRAMS < inputs
//
// LIBRARIES: the folder of ggml's backends. FLASH: 1 with flash attention, 0 without. ROWS: a file for the rows of all inputs, as 32-bit floats one behind another. SPECTROGRAMS: the same for those of sounds.
// Each line of the input is an image: width, height and a file of its bytes (red, green, blue); or a sound: 0, the number of
// its samples and a file of them (32-bit floats). Each line of the output is a JSON object with its chunks, the greedy
// tokens behind `a<input>b`, and frames and bands of each spectrogram.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "clip-impl.h"
#include "clip.h"
#include "ggml-backend.h"
#include "llama.h"
#include "mtmd-audio.h"
#include "mtmd-helper.h"
#include "mtmd.h"

static const int greedy_tokens = 6;

static void fail(const std::string & what) {
    std::cerr << what << std::endl;
    std::exit(1);
}

static std::vector<unsigned char> read_file(const std::string & path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) fail("no " + path);
    return std::vector<unsigned char>((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
}

static void print_list(const char * name, const std::vector<int> & values) {
    std::printf("\"%s\":[", name);
    for (size_t i = 0; i < values.size(); i++) std::printf("%s%d", i ? "," : "", values[i]);
    std::printf("]");
}

static void print_chunk(mtmd_context * ctx, const mtmd_input_chunk * chunk, size_t width, std::ofstream & rows) {
    if (mtmd_input_chunk_get_type(chunk) == MTMD_INPUT_CHUNK_TYPE_TEXT) {
        size_t count = 0;
        const llama_token * tokens = mtmd_input_chunk_get_tokens_text(chunk, &count);
        std::printf("{");
        print_list("tokens", std::vector<int>(tokens, tokens + count));
        std::printf("}");
        return;
    }
    if (mtmd_encode_chunk(ctx, chunk) != 0) fail("an input was not encoded");
    const size_t count = mtmd_input_chunk_get_n_tokens(chunk);
    rows.write(reinterpret_cast<const char *>(mtmd_get_output_embd(ctx)), count * width * sizeof(float));
    if (mtmd_input_chunk_get_type(chunk) == MTMD_INPUT_CHUNK_TYPE_AUDIO) {
        std::printf("{\"rows\":%zu,\"advance\":%d}", count, (int) mtmd_input_chunk_get_n_pos(chunk));
        return;
    }
    std::vector<int> lines, columns, times;
    for (size_t i = 0; i < count; i++) {
        const auto at = mtmd_image_tokens_get_decoder_pos(mtmd_input_chunk_get_tokens_image(chunk), 0, i);
        times.push_back(at.t);
        lines.push_back(at.y);
        columns.push_back(at.x);
    }
    std::printf("{\"rows\":%zu,\"advance\":%d,", count, (int) mtmd_input_chunk_get_n_pos(chunk));
    print_list("times", times);
    std::printf(",");
    print_list("lines", lines);
    std::printf(",");
    print_list("columns", columns);
    std::printf("}");
}

static std::vector<int> answer(mtmd_context * ctx, llama_context * lctx, mtmd_input_chunks * chunks) {
    const int vocabulary = llama_vocab_n_tokens(llama_model_get_vocab(llama_get_model(lctx)));
    llama_pos past = 0;
    llama_memory_clear(llama_get_memory(lctx), true);
    if (mtmd_helper_eval_chunks(ctx, lctx, chunks, 0, 0, llama_n_batch(lctx), true, &past) != 0) fail("no decode");
    std::vector<int> tokens;
    while ((int) tokens.size() < greedy_tokens) {
        const float * logits = llama_get_logits_ith(lctx, -1);
        llama_token next = std::max_element(logits, logits + vocabulary) - logits;
        tokens.push_back(next);
        llama_batch batch = llama_batch_get_one(&next, 1);
        if (llama_decode(lctx, batch) != 0) fail("no decode of a token");
    }
    return tokens;
}

static std::unique_ptr<mtmd_audio_preprocessor> preprocessor_of(clip_ctx * ear) {
    switch (clip_get_projector_type(ear)) {
        case PROJECTOR_TYPE_QWEN3A:         return std::make_unique<mtmd_audio_preprocessor_qwen3a>(ear);
        case PROJECTOR_TYPE_LFM2A:          return std::make_unique<mtmd_audio_preprocessor_conformer>(ear);
        case PROJECTOR_TYPE_GRANITE_SPEECH: return std::make_unique<mtmd_audio_preprocessor_granite_speech>(ear);
        case PROJECTOR_TYPE_GEMMA4A:        return std::make_unique<mtmd_audio_preprocessor_gemma4a>(ear);
        case PROJECTOR_TYPE_GEMMA4UA:       return std::make_unique<mtmd_audio_preprocessor_gemma4ua>(ear);
        default:                            return std::make_unique<mtmd_audio_preprocessor_whisper>(ear);
    }
}

static void print_spectrograms(clip_ctx * ear, const std::vector<float> & samples, std::ofstream & out) {
    auto preprocessor = preprocessor_of(ear);
    preprocessor->initialize();
    std::vector<mtmd_audio_mel> pieces;
    if (!preprocessor->preprocess(samples.data(), samples.size(), pieces)) fail("a sound has no spectrogram");
    for (size_t i = 0; i < pieces.size(); i++) {
        const auto & piece = pieces[i];
        out.write(reinterpret_cast<const char *>(piece.data.data()), piece.n_len * piece.n_mel * sizeof(float));
        std::printf("%s{\"frames\":%d,\"bands\":%d}", i ? "," : "", (int) piece.n_len, (int) piece.n_mel);
    }
}

static void silent(ggml_log_level level, const char * text, void *) {
    if (level == GGML_LOG_LEVEL_ERROR) std::cerr << text;
}

int main(int argc, char ** argv) {
    if (argc != 7) fail("mtmd-rows LIBRARIES MODEL PROJECTOR FLASH ROWS SPECTROGRAMS < inputs");
    llama_log_set(silent, nullptr);
    mtmd_log_set(silent, nullptr);
    mtmd_helper_log_set(silent, nullptr);
    ggml_backend_load_all_from_path(argv[1]);
    const auto flash = std::string(argv[4]) == "1" ? LLAMA_FLASH_ATTN_TYPE_ENABLED : LLAMA_FLASH_ATTN_TYPE_DISABLED;

    llama_model_params model_params = llama_model_default_params();
    llama_model * model = llama_model_load_from_file(argv[2], model_params);
    if (!model) fail("no model");
    llama_context_params context_params = llama_context_default_params();
    context_params.n_ctx = 8192;
    context_params.n_batch = context_params.n_ubatch = 2048;
    context_params.n_threads = context_params.n_threads_batch = 1;
    context_params.flash_attn_type = flash;
    llama_context * lctx = llama_init_from_model(model, context_params);
    if (!lctx) fail("no context");

    mtmd_context_params params = mtmd_context_params_default();
    params.use_gpu = false;
    params.print_timings = false;
    params.warmup = false;
    params.n_threads = 1;
    params.flash_attn_type = flash;
    mtmd_context * ctx = mtmd_init_from_file(argv[3], model, params);
    if (!ctx) fail("no projector");

    clip_context_params clip_params = {};
    clip_params.flash_attn_type = CLIP_FLASH_ATTN_TYPE_DISABLED;
    clip_ctx * ear = mtmd_support_audio(ctx) ? clip_init(argv[3], clip_params).ctx_a : nullptr;

    const size_t width = llama_model_n_embd_inp(model);
    std::ofstream rows(argv[5], std::ios::binary);
    std::ofstream spectrograms(argv[6], std::ios::binary);
    int nx, ny;
    std::string path;
    while (std::cin >> nx >> ny >> path) {
        const auto bytes = read_file(path);
        const bool sounds = nx == 0;
        if (bytes.size() != (sounds ? ny * sizeof(float) : (size_t) nx * ny * 3)) fail(path + " has another size");
        std::vector<float> samples(sounds ? ny : 0);
        if (sounds) std::copy(bytes.begin(), bytes.end(), reinterpret_cast<unsigned char *>(samples.data()));
        mtmd_bitmap * bitmap = sounds ? mtmd_bitmap_init_from_audio(ny, samples.data()) : mtmd_bitmap_init(nx, ny, bytes.data());
        mtmd_input_chunks * chunks = mtmd_input_chunks_init();
        const std::string prompt = std::string("a") + mtmd_default_marker() + "b";
        const mtmd_input_text text = { prompt.c_str(), prompt.size(), false, true };
        const mtmd_bitmap * bitmaps[] = { bitmap };
        if (mtmd_tokenize(ctx, chunks, &text, bitmaps, 1) != 0) fail(path + " was not tokenized");
        std::printf("{\"chunks\":[");
        for (size_t i = 0; i < mtmd_input_chunks_size(chunks); i++) {
            if (i) std::printf(",");
            print_chunk(ctx, mtmd_input_chunks_get(chunks, i), width, rows);
        }
        std::printf("],");
        print_list("answer", answer(ctx, lctx, chunks));
        std::printf(",\"spectrograms\":[");
        if (sounds) print_spectrograms(ear, samples, spectrograms);
        std::printf("]}\n");
        std::fflush(stdout);
        mtmd_input_chunks_free(chunks);
        mtmd_bitmap_free(bitmap);
    }
    mtmd_free(ctx);
    llama_free(lctx);
    llama_model_free(model);
}
